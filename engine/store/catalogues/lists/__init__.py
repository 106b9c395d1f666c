"""How catalogues list their files: AlphaEarth's index, the manifests of TESSERA, collections of STAC."""
