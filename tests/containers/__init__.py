"""The platform as containers, proved with a real engine."""
