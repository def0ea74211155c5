mod files;
mod handshakes;
mod inspections;
mod remembering;
mod site;
mod streams;
mod trusting;
