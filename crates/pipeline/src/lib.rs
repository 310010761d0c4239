//! A TOML file to a checked plan, with good errors and a JSON schema.
