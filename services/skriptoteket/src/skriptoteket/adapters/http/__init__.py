"""What JSON routes and pages share: uploads, downloads, who acts."""
