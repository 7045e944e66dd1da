package ratemodel_test

import (
	"fmt"
	"time"

	"github.com/forbear-go/forbear/internal/ratemodel"
)

var midnight = time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)

func ExampleAll() {
	second, minute := ratemodel.NewFixed(2, time.Second), ratemodel.NewFixed(3, time.Minute)
	second.Name, minute.Name = "second", "minute"
	limits := ratemodel.All{second, minute}

	for range 3 {
		fmt.Println(limits.Admit(midnight))
	}
	for _, w := range limits.Windows(nil, midnight) {
		fmt.Println(w.Name, w.Remaining, "of", w.Limit)
	}
	fmt.Println(limits.Next(midnight).Sub(midnight))
	// Output:
	// true
	// true
	// false
	// second 0 of 2
	// minute 1 of 3
	// 1s
}

func ExampleGreedy() {
	bucket := ratemodel.NewBucket(120, 120, time.Minute)
	// The full bucket, and what flows in before the end.
	fmt.Println(ratemodel.Greedy(bucket, midnight, midnight.Add(10*time.Minute), 0))
	// Output: 1319
}

func ExampleSlidingLog() {
	log := ratemodel.NewSlidingLog(1, 2*time.Second)
	fmt.Println(log.Admit(midnight))
	fmt.Println(log.Admit(midnight.Add(2*time.Second - 1)))
	fmt.Println(log.Admit(midnight.Add(2 * time.Second)))
	// Output:
	// true
	// false
	// true
}
