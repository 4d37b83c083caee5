"""Raw data: one module or package per dataset, importing nothing heavy until it is asked for."""
