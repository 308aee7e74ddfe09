"""What a release would be: last tags, fragments, differences of the public interface, versions, order."""
