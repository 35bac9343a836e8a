"""What was found out, as scripts that find it out again with the product's own code."""
