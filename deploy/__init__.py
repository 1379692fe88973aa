"""How the platform is put on machines: the local stack, containers and clusters."""
