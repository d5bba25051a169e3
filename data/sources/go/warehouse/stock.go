// Package warehouse counts what lies where.
package warehouse

import (
	"errors"
	"sync"
)

var ErrOutOfStock = errors.New("out of stock")

type Stock struct {
	mu     sync.Mutex
	counts map[string]int
}

func New() *Stock { return &Stock{counts: make(map[string]int)} }

func (s *Stock) Put(code string, count int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[code] += count
}

func (s *Stock) Take(code string, count int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts[code] < count {
		return ErrOutOfStock
	}
	s.counts[code] -= count
	return nil
}
