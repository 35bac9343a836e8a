"""The embedded server's protocols: gRPC, REST, health, metrics, TLS and limits."""
