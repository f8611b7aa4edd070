"""The network side: torch and SpikingJelly live here, never in the search side."""
