"""Working models of the services of a sigstore instance, small: a certificate authority, a public log, a timestamp
authority, and the issuer of identity tokens. What they answer is verified by the library `sigstore` itself."""
