"""What requests and answers say in their headers, beside what they are about."""
