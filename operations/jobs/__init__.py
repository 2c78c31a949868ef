"""The platform's own jobs, one package each; `registry.JOBS` names them."""
