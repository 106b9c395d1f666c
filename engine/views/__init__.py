"""Pictures of a store: components, maps, seams and exports."""
