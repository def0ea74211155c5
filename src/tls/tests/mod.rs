mod files;
mod handshakes;
mod inspections;
mod site;
mod streams;
