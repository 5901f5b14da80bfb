"""What `shipline doctor` looks at. Looking makes no store, no key and no process, and mends nothing."""
