"""Arrow and numpy building blocks: conversion, ranks, lists, days."""
