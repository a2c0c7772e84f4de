"""AutoLink's edge map."""
