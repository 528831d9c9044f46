"""Whatever a user points at: pictures, folders and videos."""
