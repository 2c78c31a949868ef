"""How the platform is provisioned: Pulumi components and the pure renderers beside them."""
