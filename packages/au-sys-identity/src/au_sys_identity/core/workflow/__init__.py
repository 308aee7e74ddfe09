"""Access requests: asked for with a reason, decided by somebody who may, over at their end."""
