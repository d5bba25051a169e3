package lending

import "fmt"
import (
	"os"
	str "strings"
	. "math"
	_ "embed"
	"example.org/shop/books/v2"
)

const Limit = 3
const (
	open, shut = iota, 2
	Third
)

var total int
var (
	Names = map[string]func(){"a": func() { fmt.Println("a") }}
	_     = setup()
	first, second = pair()
)

type State int
type Alias = State
type Rule func(loan *Loan) bool
type Number interface{ ~int | ~float64 }

type Lender interface {
	fmt.Stringer
	Lend(days int) (*Loan, error)
	Close()
}

type Base struct{ id int }
type Loan struct {
	Base
	*State
	Title string `json:"title"`
	inner struct{ a, b int }
	rule  func(int) bool
}

type (
	Pair[K comparable, V any] struct {
		Key   K
		Value V
	}
	List[T any] []T
)

func (l *Loan) Lend(days int) (*Loan, error) {
	if days > Limit && l.id > 0 || l == nil {
		return nil, fmt.Errorf("no %d", days)
	} else if days == 1 {
		l.renew()
	}
	for i := 0; i < 3; i++ {
		step(i)
	}
	for range l.Title {
	}
	switch days {
	case 0:
		Sqrt(2)
	case 1, 2:
		str.ToUpper("x")
	default:
		os.Exit(1)
	}
	switch v := any(l).(type) {
	case *Loan:
		v.renew()
	case nil:
	}
	select {
	case x := <-ch:
		use(x)
	default:
	}
	defer l.Base.close()
	go func() { l.renew() }()
	const local = 1
	var inside = 2
	type hidden struct{}
	twice := func(x int) int { return x * 2 }
	return &Loan{Title: fmt.Sprint(twice(1))}, nil
}

func (Loan) Static() {}
func (p Pair[K, V]) Swap() Pair[V, K] { return Pair[V, K]{} }
func (l List[T]) Len() int { return len(l) }
func (l *List[T]) Push(x T) { *l = append(*l, x) }
func Map[T, U any](xs []T, f func(T) U) []U {
	ys := make([]U, 0)
	for _, x := range xs {
		ys = append(ys, f(x))
	}
	return ys
}
func init() { Map[int, string](nil, nil); Sum[int](1); str.Cut[byte](Names); _ = []byte("x"); l.rules[0](1); (*total).run(); http.Get("x").Body.Close() }
func extern(x int) int
