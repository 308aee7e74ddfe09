"""JSON documents: values, operations, transactions, the change feed."""
