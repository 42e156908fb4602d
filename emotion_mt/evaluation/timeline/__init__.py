"""The timeline of a film, as a picture and as a page: made here only."""
