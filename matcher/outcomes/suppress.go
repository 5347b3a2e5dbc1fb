package outcomes

import "slices"

const (
	// Least is the smallest count that is published, besides 0: five is the least that statistical offices usually publish.
	Least = 5
	// protection is how many values at least have to be possible for a withheld count, from all that is published.
	protection = 4
)

// Withheld says of each cell of a table, with its totals, whether it is withheld, so that no count from 1 to Least-1 can be worked
// out from what is published. The last row and the last column of the answer are the totals of the columns and of the rows; the totals
// of the columns are always published, and have to be 0 or Least at least. ok is false when that can't be had: then publish no line of it.
//
// First every small count is withheld, then the smallest others, the totals of rows last, until each small one has enough possible values.
// What is possible is worked out exactly. With the totals counted negative, every row and every column adds up to 0; the most that a
// cell can move while they do is the greatest flow through the other withheld cells (a count shrinks to 1 at the least, since a 0
// would have been published).
func Withheld(table [][]int) (mask [][]bool, ok bool) {
	a := newAudit(table)
	if a == nil {
		return nil, len(table) == 0
	}
	for _, n := range a.count[a.rows-1] {
		if n > 0 && n < Least {
			return a.mask, false
		}
	}
	small := a.maskSmall()
	for {
		open := slices.IndexFunc(small, func(s at) bool { return a.possible(s) < protection })
		if open < 0 {
			return a.mask, true
		}
		more, ok := a.cheapest(small[open])
		if !ok {
			return a.mask, false
		}
		a.mask[more.r][more.c] = true
	}
}

// at is a cell.
type at struct{ r, c int }

// audit is a table with its totals, and what of it is withheld.
type audit struct {
	rows, columns int // with the totals
	count         [][]int
	mask          [][]bool
}

func newAudit(table [][]int) *audit {
	if len(table) == 0 || len(table[0]) == 0 {
		return nil
	}
	a := &audit{rows: len(table) + 1, columns: len(table[0]) + 1}
	for range a.rows {
		a.count, a.mask = append(a.count, make([]int, a.columns)), append(a.mask, make([]bool, a.columns))
	}
	for r, row := range table {
		for c, n := range row {
			a.count[r][c] = n
			a.count[r][a.columns-1] += n
			a.count[a.rows-1][c] += n
			a.count[a.rows-1][a.columns-1] += n
		}
	}
	return a
}

// sign is -1 for the total of a row or a column.
func (a *audit) sign(r, c int) int {
	if (r == a.rows-1) != (c == a.columns-1) {
		return -1
	}
	return 1
}

func (a *audit) maskSmall() (small []at) {
	for r := range a.count {
		for c, n := range a.count[r] {
			if cell := (at{r, c}); n > 0 && n < Least {
				a.mask[r][c] = true
				small = append(small, cell)
			}
		}
	}
	return small
}

// cheapest is what to withhold next to protect a cell: the smallest count in its row or column, else in what crosses them; a total
// only when nothing else is left.
func (a *audit) cheapest(of at) (best at, ok bool) {
	for _, totals := range []bool{false, true} {
		for _, near := range []bool{true, false} {
			for r := range a.rows - 1 {
				for c, n := range a.count[r] {
					cell := at{r, c}
					crosses := a.mask[r][of.c] || a.mask[of.r][c]
					switch {
					case a.mask[r][c] || n == 0, (a.sign(r, c) < 0) != totals, near && r != of.r && c != of.c, !near && !crosses:
						continue
					}
					if !ok || n < a.count[best.r][best.c] {
						best, ok = cell, true
					}
				}
			}
			if ok {
				return best, true
			}
		}
	}
	return best, false
}

// possible is how many values a withheld cell can have from all that is published.
func (a *audit) possible(cell at) int { return 1 + a.move(cell, +1) + a.move(cell, -1) }

// move is how far a withheld cell can grow (way +1) or shrink (way -1) while all rows and columns add up. It has to be made up for
// along a path of withheld cells from its column back to its row that move against it and with it in turn: the greatest flow there.
func (a *audit) move(cell at, way int) int {
	way *= a.sign(cell.r, cell.c)
	shift := make([][]int, a.rows) // how much each cell was moved already
	for r := range shift {
		shift[r] = make([]int, a.columns)
	}
	const far = 1 << 20
	// room is how far a cell can still be moved: a count that shrinks down to 1, one that grows without end.
	room := func(r, c, way int) int {
		if sign := a.sign(r, c); way*sign < 0 {
			return a.count[r][c] + sign*shift[r][c] - 1
		}
		return far
	}
	total, limit := 0, min(room(cell.r, cell.c, way), 4*protection)
	for total < limit {
		path := augment(a.mask, room, a.rows, a.columns, cell.r, cell.c, way)
		if path == nil {
			break
		}
		for i, p := range path { // the first is in the column: it moves against the way
			step := -way
			if i%2 == 1 {
				step = way
			}
			shift[p[0]][p[1]] += step
		}
		total++
	}
	return total
}

// augment finds cells to move by one in turn, from the column to the row; nil when there are none.
func augment(mask [][]bool, room func(r, c, way int) int, rows, columns, row, column, way int) [][2]int {
	type node struct {
		isRow bool
		at    int
	}
	from := map[node]node{}
	start, goal := node{false, column}, node{true, row}
	queue := []node{start}
	seen := map[node]bool{start: true}
	for len(queue) > 0 && !seen[goal] {
		n := queue[0]
		queue = queue[1:]
		if !n.isRow { // a column is made up for by a cell of it that moves against the way
			for r := range rows {
				next := node{true, r}
				if mask[r][n.at] && !seen[next] && (r != row || n.at != column) && room(r, n.at, -way) > 0 {
					seen[next], from[next] = true, n
					queue = append(queue, next)
				}
			}
			continue
		}
		for c := range columns { // and then a row by one that moves with it
			next := node{false, c}
			if mask[n.at][c] && !seen[next] && (n.at != row || c != column) && room(n.at, c, way) > 0 {
				seen[next], from[next] = true, n
				queue = append(queue, next)
			}
		}
	}
	if !seen[goal] {
		return nil
	}
	var path [][2]int
	for n := goal; n != start; n = from[n] {
		before := from[n]
		if n.isRow {
			path = append(path, [2]int{n.at, before.at})
		} else {
			path = append(path, [2]int{before.at, n.at})
		}
	}
	slices.Reverse(path)
	return path
}
