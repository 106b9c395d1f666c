"""Catalogues of imagery (STAC): which there are, searching them, choosing dates, and reading their items as scenes."""
