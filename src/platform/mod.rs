//! Engines with no loyalty word inside.
