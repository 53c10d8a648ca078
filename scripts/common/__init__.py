"""What every stage needs and no stage owns. Imports no stage and no heavy library."""
