package main

import (
	"fmt"
	"os"

	"example.org/inventory/warehouse"
)

func main() {
	stock := warehouse.New()
	for _, code := range os.Args[1:] {
		stock.Put(code, 1)
	}
	fmt.Println("gelagert:", len(os.Args)-1, "Stück")
}
