"""Where orders go: files, webhooks, and the formats that security systems exchange."""
