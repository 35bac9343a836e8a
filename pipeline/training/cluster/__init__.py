"""The processes of a training that has several: who is who, started and watched."""
