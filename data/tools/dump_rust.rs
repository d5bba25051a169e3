//! Dumps Rust as syn reads it: dump_rust SOURCE OUT

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (source, out) = (arguments.next().ok_or("no SOURCE")?, arguments.next().ok_or("no OUT")?);
    let file = syn::parse_file(&std::fs::read_to_string(source)?)?;
    std::fs::write(out, syn_serde::json::to_string(&file) + "\n")?;
    Ok(())
}
