"""Signatures and statements in the formats of cosign and sigstore: of files beside them, of images in their registry.

Both formats of cosign are written, the older one (tags `.sig` and `.att`) and bundles that refer to the image, because
tools in use read one or the other. All that others write is read leniently; what counts is cryptography alone.
"""
