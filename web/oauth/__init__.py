"""OAuth 2: tokens for programs.  Codes for people come with the whole client API."""
