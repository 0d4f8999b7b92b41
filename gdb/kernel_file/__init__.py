"""What the kernel's ELF file tells: symbols, types, and whose a function is by its name. All modules are pure."""
