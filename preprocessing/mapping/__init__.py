"""Columns as a log calls and writes them become columns as the contract has them."""
