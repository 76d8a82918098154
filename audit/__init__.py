"""The audit log: an RFC 6962 Merkle tree over the stored bytes, with signed checkpoints."""
