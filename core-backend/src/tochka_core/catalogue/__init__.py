"""The catalogue: modules, their manifests, and the plans that the platform sells them under."""
