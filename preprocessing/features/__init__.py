"""What is computed: point-in-time features of users and videos, labels, next state."""
