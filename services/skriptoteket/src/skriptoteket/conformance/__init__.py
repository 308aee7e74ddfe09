"""What any sandbox must contain: a harness and a catalogue of attacks, run against every runner."""
