package warehouse

type Line struct {
	Code  string `json:"code"`
	Count int    `json:"count"`
}

func Serve(s *Stock, orders <-chan []Line) (served, refused int) {
	for lines := range orders {
		ok := true
		for _, line := range lines {
			if err := s.Take(line.Code, line.Count); err != nil {
				ok = false
				break
			}
		}
		if ok {
			served++
		} else {
			refused++
		}
	}
	return
}
