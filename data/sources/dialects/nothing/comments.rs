//! nothing here
/* and nothing there */
// nor there
