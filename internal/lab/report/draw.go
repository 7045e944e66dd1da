package main

import (
	"bytes"
	"fmt"
	"image/color"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/forbear-go/forbear/internal/lab"
	"github.com/forbear-go/forbear/internal/lab/peer"
)

var (
	admittedColor = color.RGBA{R: 0x1b, G: 0x7f, B: 0x79, A: 0xff}
	refusedColor  = color.RGBA{R: 0xd6, G: 0x27, B: 0x28, A: 0xff}
	inkColor      = color.RGBA{R: 0x40, G: 0x40, B: 0x40, A: 0xff}
)

// The picture has a panel for each client, all of the same scale.
const (
	columns = 3
	width   = vg.Length(840)
	height  = vg.Length(118) // of a row of panels
	upward  = 12.0           // requests a second that show
	down    = 22.0
)

// drawing returns a picture of what each client had admitted, upwards, and refused,
// downwards.
func drawing(series []lab.Series, rows []lab.Row) ([]byte, error) {
	canvas := vgsvg.New(width, vg.Length(rowsOf(series))*height)
	if err := compose(draw.New(canvas), series, rows); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return nil, err
	}
	// Other letters where the fonts of the plotting library are missing.
	return bytes.ReplaceAll(out.Bytes(), []byte("font-family:Liberation Sans"), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif")), nil
}

func rowsOf(series []lab.Series) int { return (len(series) + columns - 1) / columns }

// compose puts a panel for each client on a page.
func compose(page draw.Canvas, series []lab.Series, rows []lab.Row) error {
	panels := make([][]*plot.Plot, rowsOf(series))
	for i := range panels {
		panels[i] = make([]*plot.Plot, columns)
	}
	first := slices.IndexFunc(series, func(s lab.Series) bool { return s.Client == peer.Forbear })
	for i := range series {
		s := series[(first+i)%len(series)] // forbear, then the others
		p, err := panel(s, title(s.Client, rows))
		if err != nil {
			return err
		}
		panels[i/columns][i%columns] = p
	}
	page.SetColor(color.White)
	page.Fill(page.Rectangle.Path())
	tiles := draw.Tiles{
		Rows: len(panels), Cols: columns, PadX: 14, PadY: 8,
		PadTop: 6, PadBottom: 6, PadLeft: 8, PadRight: 14,
	}
	for j, line := range plot.Align(panels, tiles, page) {
		for i, place := range line {
			if panels[j][i] != nil {
				panels[j][i].Draw(place)
			}
		}
	}
	return nil
}

// panel draws one client.
func panel(s lab.Series, title string) (*plot.Plot, error) {
	p := plot.New()
	admitted, refused := make(plotter.XYs, 0, 4*len(s.Admitted)), make(plotter.XYs, 0, 4*len(s.Refused))
	for i := range s.Admitted {
		admitted = step(admitted, i, min(float64(s.Admitted[i]), upward))
		refused = step(refused, i, -min(float64(s.Refused[i]), down))
	}
	for _, area := range []struct {
		points plotter.XYs
		color  color.Color
	}{{admitted, admittedColor}, {refused, refusedColor}} {
		shape, err := plotter.NewPolygon(append(area.points, plotter.XY{X: float64(len(s.Admitted)), Y: 0}, plotter.XY{}))
		if err != nil {
			return nil, err
		}
		shape.Color, shape.LineStyle.Width = area.color, 0
		p.Add(shape)
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, float64(len(s.Admitted)), -down, upward
	p.X.Tick.Marker = plot.ConstantTicks{
		{Value: 0, Label: "0"},
		{Value: 60, Label: "1 min"},
		{Value: 120, Label: "2 min"},
		{Value: 180, Label: "3 min"},
		{Value: 240},
	}
	p.Y.Tick.Marker = plot.ConstantTicks{{Value: -20, Label: "20 refused"}, {Value: 0, Label: "0"}, {Value: 10, Label: "10 admitted"}}
	p.Title.Text = title
	sans(p)
	return p, nil
}

// step adds a bar to an outline, or makes the last one wider if it is as high.
func step(outline plotter.XYs, second int, value float64) plotter.XYs {
	end := plotter.XY{X: float64(second + 1), Y: value}
	if n := len(outline); n > 0 && outline[n-1].Y == value {
		outline[n-1] = end
		return outline
	}
	return append(outline, plotter.XY{X: float64(second), Y: value}, end)
}

// title is the name of a client and what it reached, with a star if it is told the
// limit.
func title(name string, rows []lab.Row) string {
	r, _ := of(rows, lab.Pictured, name)
	if c, ok := peer.Named(name); ok && c.Told {
		name += " *"
	}
	return fmt.Sprintf("%s: %s refused, %s used", name, percent(r.RefusedShare()), percent(r.UsedShare()))
}

// sans sets the letters.
func sans(p *plot.Plot) {
	letters := font.Font{Typeface: "Liberation", Variant: "Sans", Size: 7.5}
	p.X.Tick.Label.Font, p.Y.Tick.Label.Font = letters, letters
	p.X.Tick.Label.Color, p.Y.Tick.Label.Color = inkColor, inkColor
	letters.Size = 9
	p.Title.TextStyle.Font, p.Title.TextStyle.Color = letters, inkColor
	p.X.LineStyle.Color, p.Y.LineStyle.Color = inkColor, inkColor
	p.X.LineStyle.Width, p.Y.LineStyle.Width = 0.4, 0.4
}
