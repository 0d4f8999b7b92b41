"""The parity document: from the results, the plan and the kernel's tree."""
