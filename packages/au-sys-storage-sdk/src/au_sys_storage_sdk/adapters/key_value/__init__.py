"""py-key-value's protocol over our storage, so that libraries that ask for one can sit on us (extra ``key-value``)."""
