"""What operators change while the platform runs: log levels, feature flags, jobs. Every change is audited."""
