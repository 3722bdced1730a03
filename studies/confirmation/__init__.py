"""A front that is trained again in full and attacked on images that the search has not seen."""
