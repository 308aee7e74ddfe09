"""Redis (or Valkey) as a backend for documents: several nodes may write; as durable as the server is set up to be."""
