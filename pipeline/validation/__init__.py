"""The trial of a model in a server before it is pushed, and requests to try it with."""
