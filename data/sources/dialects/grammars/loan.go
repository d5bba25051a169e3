package loan

import (
	"fmt"
	str "strings"
)

const maxDays = 14

var counter, total int

type Lender interface {
	Lend(name string) (bool, error)
}

type Shelf struct {
	name  string
	Items map[string]int
}

type ID = uint64
type days int

func (s *Shelf) Lend(name string) (bool, error) {
	if n, ok := s.Items[name]; ok && n > 0 {
		return true, nil
	}
	for i := range maxDays {
		switch {
		case i > 3:
			counter++
		}
	}
	return false, fmt.Errorf("no %s", str.ToUpper(name))
}

func main() {
	shelf := &Shelf{name: "a"}
	go func() { _, _ = shelf.Lend("b") }()
}
