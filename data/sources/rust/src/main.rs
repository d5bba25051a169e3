use std::io::BufRead;

use inventory::Stock;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut stock = Stock::default();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        if let Some((code, count)) = line.split_once(' ') {
            stock.put(code, count.parse()?);
        }
    }
    println!("{stock:?}");
    Ok(())
}
