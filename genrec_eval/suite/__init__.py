"""The suite file: read with positions, merged, validated, and every fault said at its line."""
